"""Data, network and training of a task in words."""

from collections.abc import Mapping

from relujax import specs

#: Name of a data set, or of a training of one's own, to the words that stand for it.
Words = Mapping[str, str]


_NAMES = {"glorot": "Glorot", "he": "He", "lecun": "LeCun", "pytorch": "PyTorch"}


def task_in_words(
    task: tuple[str, str, str], words: Words | None = None
) -> dict[str, str]:
    """Data and network of a task as a practitioner would say them.

    >>> deep = "deep_mlp(width=32, depth=20, initializer='he')"
    >>> task_in_words(("wdbc", deep, "adam(learning_rate=0.001)"), {"wdbc": "a table"})
    {'your data': 'a table', 'your network': '20 layers of 32, no normalisation, He; \
adam 0.001'}
    """
    data, model, optimizer = task
    words = words or {}
    name, network = data.partition("(")[0], model.partition("(")[0]
    return {
        "your data": words.get(name) or words.get(network) or data or "–",
        "your network": "; ".join(
            filter(None, [_network(model), _optimizer(optimizer)])
        ),
    }


def _network(model: str) -> str:
    if model.partition("(")[0] not in ("mlp", "deep_mlp"):
        return model
    name, values = specs.parse(model)
    if name == "mlp":
        widths = tuple(values.get("hidden", (512, 512)))
        initializer = values.get("initializer", "glorot")
    else:
        widths = (values.get("width", 8),) * int(values.get("depth", 3))
        initializer = values.get("initializer", "pytorch")
    normalised = "layer norm" if values.get("normalize") else "no normalisation"
    return f"{_layers(widths)}, {normalised}, {_NAMES.get(initializer, initializer)}"


def _layers(widths: tuple[int, ...]) -> str:
    if len(set(widths)) != 1:
        return f"layers of {', '.join(map(str, widths))}" if widths else "linear"
    return f"{len(widths)} layer{'s' * (len(widths) > 1)} of {widths[0]}"


def _optimizer(optimizer: str) -> str:
    if not optimizer:
        return ""
    name, values = specs.parse(optimizer)
    rate = values.get("learning_rate")
    return name if rate is None else f"{name} {rate:g}"
