"""Named data sets and data of the user's as plain arrays, with their provenance."""

from relujax.data._arrays import from_arrays as from_arrays
from relujax.data._dataset import Dataset as Dataset
from relujax.data._dataset import Provenance as Provenance
from relujax.data._dataset import Transform as Transform
from relujax.data._dataset import content_sha256 as content_sha256
from relujax.data._frame import from_frame as from_frame
from relujax.data._inputs import check_inputs as check_inputs
from relujax.data._registry import SOURCES as SOURCES
from relujax.data._registry import DatasetInfo as DatasetInfo
from relujax.data._registry import dataset_info as dataset_info
from relujax.data._registry import list_datasets as list_datasets
from relujax.data._registry import load_dataset as load_dataset
from relujax.data._registry import prepare_dataset as prepare_dataset
from relujax.data._show import class_counts as class_counts
from relujax.data._show import facts as facts
from relujax.data._split import TEST_FRACTION as TEST_FRACTION
