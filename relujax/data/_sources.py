"""MNIST and Fashion-MNIST as they are published: addresses, sizes, checksums."""

from pathlib import PurePath
from typing import NamedTuple

# Raise it when the layout of the prepared copies changes.
PREPARED_VERSION = "1.0.0"


class Archive(NamedTuple):
    """One published file.

    Attributes:
      file: its name.
      size: its size in bytes.
      sha256: of the archive as published.
      content_sha256: of the IDX bytes inside.
    """

    file: str
    size: int
    sha256: str
    content_sha256: str


class ImageSource(NamedTuple):
    """A data set of 28 x 28 images in the format of MNIST.

    Attributes:
      name: the data set's name in a spec string.
      title: what it is called.
      homepage: where it is documented.
      url: the archives lie at `url + archive.file`.
      archives: training images, training labels, test images, test labels.
      n_train: number of training images.
      n_test: number of test images.
      classes: the names of the classes.
    """

    name: str
    title: str
    homepage: str
    url: str
    archives: tuple[Archive, Archive, Archive, Archive]
    n_train: int = 60_000
    n_test: int = 10_000
    classes: tuple[str, ...] = tuple("0123456789")

    @property
    def prepared(self) -> PurePath:
        """Where tensorflow-datasets keeps its copy, below its data directory."""
        return PurePath(f"relujax_{self.name}", PREPARED_VERSION)


# Archive sizes and checksums: tensorflow-datasets 4.9.10 (url_checksums/mnist.txt and
# fashion_mnist.txt). Content checksums: of the same files, unpacked.
MNIST = ImageSource(
    name="mnist",
    title="MNIST",
    homepage="http://yann.lecun.com/exdb/mnist/",
    url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    archives=(
        Archive(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        Archive(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        Archive(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        Archive(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)

FASHION_MNIST = ImageSource(
    name="fashion_mnist",
    title="Fashion-MNIST",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    # The authors' repository at one revision: the same bytes as on their web server,
    # which has no https.
    url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
    archives=(
        Archive(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        Archive(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        Archive(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        Archive(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)
