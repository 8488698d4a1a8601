"""The values and derivatives of torch, for `torch_values.json`.

Run with torch, which the tests do not need:
  python tests/activations/torch_values.py > tests/activations/torch_values.json
"""

import json
from functools import partial

POINTS = [-30.0, -5.0, -3.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 3.0, 5.9, 6.1, 30.0]


def main():
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

    forms = {
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "leaky_relu(negative_slope=0.3)": partial(F.leaky_relu, negative_slope=0.3),
        "elu": F.elu,
        "elu(alpha=0.7)": partial(F.elu, alpha=0.7),
        "selu": F.selu,
        "celu": F.celu,
        "celu(alpha=2.0)": partial(F.celu, alpha=2.0),
        "gelu": partial(F.gelu, approximate="tanh"),
        "gelu(approximate=False)": F.gelu,
        "silu": F.silu,
        "mish": F.mish,
        # Above the threshold torch's softplus is x: keep it out of the way.
        "softplus": partial(F.softplus, threshold=40.0),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu6": F.relu6,
        "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
        "rrelu": partial(F.rrelu, training=False),
        "rrelu(lower=0.2, upper=0.6)": partial(
            F.rrelu, lower=0.2, upper=0.6, training=False
        ),
        "hard_tanh": F.hardtanh,
        # Not hardsigmoid, whose derivative is 1/6 in float32 for a float64 input.
        "hard_swish": F.hardswish,
        "soft_sign": F.softsign,
        "log_sigmoid": F.logsigmoid,
        "tanh_shrink": F.tanhshrink,
        "hard_shrink": F.hardshrink,
        "hard_shrink(lambd=2.0)": partial(F.hardshrink, lambd=2.0),
        "soft_shrink": F.softshrink,
        "soft_shrink(lambd=2.0)": partial(F.softshrink, lambd=2.0),
        "threshold": partial(F.threshold, threshold=1.0, value=0.0),
        # By its gate, with the value 1.
        "glu": lambda x: F.glu(torch.stack([torch.ones_like(x), x], -1))[..., 0],
    }
    rows = {}
    for spec, f in forms.items():
        x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
        y = f(x)
        (dy,) = torch.autograd.grad(y.sum(), x)
        rows[spec] = {"y": y.tolist(), "dy": dy.tolist()}
    print(json.dumps({"torch": torch.__version__, "x": POINTS, "forms": rows}))


if __name__ == "__main__":
    main()
