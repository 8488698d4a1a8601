"""Small networks as their authors write them, one for each way of writing one.

Each is our own statement of a known kind of network, in the idiom of its framework,
with what is known of it by reading: its activations in the order of the program.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

RNG = np.random.default_rng(0)


def draw(*shape: int) -> jax.Array:
    """Normal numbers."""
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


class Foreign(NamedTuple):
    """`fn(params, batch)` with arguments, and its activations in order."""

    fn: Callable[..., Any]
    params: Any
    batch: Any
    activations: list[str]


class ResidualBlock(nn.Module):
    """As in Flax's ImageNet example: convolutions, batch statistics, a projection."""

    filters: int

    @nn.compact
    def __call__(self, x, train: bool):
        norm = lambda: nn.BatchNorm(use_running_average=not train, momentum=0.9)
        y = nn.relu(norm()(nn.Conv(self.filters, (3, 3), use_bias=False)(x)))
        y = norm()(nn.Conv(self.filters, (3, 3), use_bias=False)(y))
        if x.shape != y.shape:
            x = norm()(nn.Conv(self.filters, (1, 1), use_bias=False)(x))
        return nn.relu(x + y)


class ResNet(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = True):
        x = nn.relu(nn.Conv(3, (3, 3), name="stem")(x))
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
        for filters in (3, 4):
            x = ResidualBlock(filters)(x, train)
        return nn.Dense(2)(jnp.mean(x, axis=(1, 2)))


def resnet() -> Foreign:
    x, net = draw(3, 8, 8, 2), ResNet()
    variables = net.init(jax.random.key(0), x, train=False)
    fn = lambda v, x: net.apply(v, x, train=False)
    return Foreign(fn, variables, x, ["relu"] * 5)


class EncoderBlock(nn.Module):
    @nn.compact
    def __call__(self, x, deterministic):
        y = nn.MultiHeadDotProductAttention(num_heads=2)(nn.LayerNorm()(x))
        x = x + nn.Dropout(0.1, deterministic=deterministic)(y)
        y = nn.gelu(nn.Dense(6)(nn.LayerNorm()(x)))
        return x + nn.Dense(x.shape[-1])(y), None


class ViT(nn.Module):
    """Patches, a class token, rematerialised blocks in a scan."""

    @nn.compact
    def __call__(self, images, *, train: bool):
        x = nn.Conv(4, (4, 4), strides=(4, 4), name="embedding")(images)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        token = self.param("cls", nn.initializers.zeros, (1, 1, x.shape[-1]))
        x = jnp.concatenate([jnp.tile(token, [x.shape[0], 1, 1]), x], axis=1)
        block = nn.remat(EncoderBlock, static_argnums=(2,), prevent_cse=False)
        scanned = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=nn.broadcast,
            length=2,
        )
        x, _ = scanned(name="blocks")(x, not train)
        return jnp.tanh(nn.Dense(3, name="pre_logits")(nn.LayerNorm()(x)[:, 0]))


def vit() -> Foreign:
    x, net = draw(2, 8, 8, 3), ViT()
    params = net.init(jax.random.key(0), x, train=False)
    fn = lambda p, x: net.apply(p, x, train=False)
    return Foreign(fn, params, x, ["gelu", "tanh"])


class Tagger(nn.Module):
    """An embedding, an LSTM in `nn.scan`, a head."""

    @nn.compact
    def __call__(self, ids):
        x = nn.Embed(7, 4)(ids)
        cell = nn.scan(
            nn.LSTMCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=1,
            out_axes=1,
        )(3, name="lstm")
        carry = cell.initialize_carry(jax.random.key(0), x[:, 0].shape)
        _, x = cell(carry, x)
        return nn.Dense(2)(nn.relu(nn.Dense(4)(x)))


def tagger() -> Foreign:
    ids, net = jnp.asarray(RNG.integers(0, 7, (2, 5))), Tagger()
    params = net.init(jax.random.key(0), ids)
    # Three gates, what is written, what is read.
    gates = ["sigmoid"] * 2 + ["tanh", "sigmoid", "tanh"]
    return Foreign(net.apply, params, ids, [*sorted(gates), "relu"])


class Graph(NamedTuple):
    """As jraph has it."""

    nodes: jax.Array
    edges: jax.Array
    senders: jax.Array
    receivers: jax.Array
    n_node: jax.Array


class GraphNetwork(nn.Module):
    """Messages along the edges, sums at the nodes, a sum over each graph."""

    @nn.compact
    def __call__(self, graph):
        n = graph.nodes.shape[0]
        h = nn.relu(nn.Dense(4)(graph.nodes))
        pairs = [h[graph.senders], h[graph.receivers], graph.edges]
        messages = nn.relu(nn.Dense(4)(jnp.concatenate(pairs, axis=-1)))
        sums = jax.ops.segment_sum(messages, graph.receivers, n)
        h = h + nn.relu(nn.Dense(4)(jnp.concatenate([h, sums], axis=-1)))
        graphs = graph.n_node.shape[0]
        of = jnp.repeat(jnp.arange(graphs), graph.n_node, total_repeat_length=n)
        return nn.Dense(1)(jax.ops.segment_sum(h, of, graphs))


def graph_network() -> Foreign:
    ends = jnp.asarray(RNG.integers(0, 6, (2, 9)))
    graph = Graph(draw(6, 3), draw(9, 2), *ends, jnp.array([2, 4]))
    net = GraphNetwork()
    params = net.init(jax.random.key(0), graph)
    return Foreign(net.apply, params, graph, ["relu"] * 3)


class GatedFeedForward(nnx.Module):
    """As in Gemma: a gate by SwiGLU, between norms by root mean squares."""

    def __init__(self, features: int, hidden: int, *, rngs: nnx.Rngs):
        linear = lambda a, b: nnx.Linear(a, b, use_bias=False, rngs=rngs)
        self.norm = nnx.RMSNorm(features, rngs=rngs)
        self.gate, self.up = linear(features, hidden), linear(features, hidden)
        self.down = linear(hidden, features)

    def __call__(self, x):
        y = self.norm(x)
        return x + self.down(nnx.silu(self.gate(y)) * self.up(y))


def gemma_block() -> Foreign:
    graph, state = nnx.split(GatedFeedForward(4, 6, rngs=nnx.Rngs(0)))
    fn = lambda state, x: nnx.merge(graph, state)(x)
    return Foreign(fn, state, draw(2, 3, 4), ["silu"])


class Agent(nn.Module):
    """DQN with the residual torso of Impala, dueling heads, pixels of one byte."""

    @nn.compact
    def __call__(self, frames):
        x = frames.astype(jnp.float32) / 255.0
        x = nn.Conv(3, (3, 3))(x)
        x = nn.max_pool(x, (3, 3), strides=(2, 2), padding="SAME")
        y = nn.Conv(3, (3, 3))(nn.relu(x))
        x = nn.relu(x + nn.Conv(3, (3, 3))(nn.relu(y)))
        x = nn.relu(nn.Dense(5)(x.reshape((x.shape[0], -1))))
        value, advantage = nn.Dense(1)(x), nn.Dense(4)(x)
        return value + advantage - advantage.mean(-1, keepdims=True)


def agent() -> Foreign:
    frames = jnp.asarray(RNG.integers(0, 256, (3, 6, 6, 2)), jnp.uint8)
    net = Agent()
    params = net.init(jax.random.key(0), frames)
    return Foreign(net.apply, params, frames, ["relu"] * 4)


class RadianceField(nn.Module):
    """The MLP of mip-NeRF: encoded positions, a skip connection, two heads."""

    @nn.compact
    def __call__(self, rays):
        scales = 2.0 ** jnp.arange(2)
        angles = jnp.einsum("...c,s->...sc", rays, scales)
        angles = angles.reshape(*rays.shape[:-1], -1)
        inputs = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)
        x = inputs
        for i in range(3):
            x = nn.relu(nn.Dense(5)(x))
            if i == 1:
                x = jnp.concatenate([x, inputs], axis=-1)
        density = nn.softplus(nn.Dense(1)(x) - 1.0)
        return density, nn.sigmoid(nn.Dense(3)(x))


def radiance_field() -> Foreign:
    rays, net = draw(2, 4, 3), RadianceField()
    params = net.init(jax.random.key(0), rays)
    names = ["relu"] * 3 + ["softplus", "sigmoid"]
    return Foreign(net.apply, params, rays, names)


class VAE(nn.Module):
    """Encoder, a draw, decoder: the draw comes with the batch."""

    def setup(self):
        self.encoder = nn.Sequential([nn.Dense(5), nn.relu, nn.Dense(4)])
        self.decoder = nn.Sequential([nn.Dense(5), nn.leaky_relu, nn.Dense(3)])

    def __call__(self, x, noise):
        mean, log_variance = jnp.split(self.encoder(x), 2, axis=-1)
        return nn.sigmoid(self.decoder(mean + noise * jnp.exp(0.5 * log_variance)))


def vae() -> Foreign:
    x, noise, net = draw(4, 3), draw(4, 2), VAE()
    params = net.init(jax.random.key(0), x, noise)
    fn = lambda p, batch: net.apply(p, *batch)
    return Foreign(fn, params, (x, noise), ["relu", "leaky_relu", "sigmoid"])


class Classifier(eqx.Module):
    """Equinox's CNN example: channels first, one example at a time."""

    layers: list

    def __init__(self, key):
        keys = jax.random.split(key)
        self.layers = [
            eqx.nn.Conv2d(1, 3, kernel_size=3, key=keys[0]),
            eqx.nn.MaxPool2d(kernel_size=2),
            jax.nn.relu,
            jnp.ravel,
            eqx.nn.Linear(3 * 5 * 5, 4, key=keys[1]),
            jax.nn.sigmoid,
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def equinox_cnn() -> Foreign:
    fn = lambda model, x: jax.vmap(model)(x)
    model = Classifier(jax.random.key(0))
    return Foreign(fn, model, draw(3, 1, 8, 8), ["relu", "sigmoid"])


class Recurrent(eqx.Module):
    cell: eqx.nn.GRUCell
    head: eqx.nn.Linear

    def __call__(self, xs):
        step = lambda h, x: (self.cell(x, h), None)
        h, _ = jax.lax.scan(step, jnp.zeros(self.cell.hidden_size), xs)
        return jax.nn.relu(self.head(h))


def equinox_gru() -> Foreign:
    keys = jax.random.split(jax.random.key(0))
    cell = eqx.nn.GRUCell(2, 3, key=keys[0])
    model = Recurrent(cell, eqx.nn.Linear(3, 4, key=keys[1]))
    fn = lambda model, x: jax.vmap(model)(x)
    names = ["sigmoid", "sigmoid", "tanh", "relu"]
    return Foreign(fn, model, draw(3, 5, 2), names)


def neural_ode() -> Foreign:
    """A field, and Runge and Kutta's steps in a `fori_loop`."""

    def field(params, y):
        for w, b in params[:-1]:
            y = jnp.tanh(y @ w + b)
        return y @ params[-1][0] + params[-1][1]

    def fn(params, y):
        def step(_, y):
            k1 = field(params, y)
            k2 = field(params, y + 0.05 * k1)
            return y + 0.1 * k2

        return jax.lax.fori_loop(0, 4, step, y)

    sizes = [(2, 4), (4, 4), (4, 2)]
    params = [(0.5 * draw(a, b), draw(1, b)) for a, b in sizes]
    return Foreign(fn, params, draw(3, 2), ["tanh"] * 4)


def experts() -> Foreign:
    """A mixture: a router's softmax, the best two of the experts by `einsum`."""

    def fn(params, x):
        weights, chosen = jax.lax.top_k(jax.nn.softmax(x @ params["router"]), 2)
        gates = jax.nn.one_hot(chosen, 3) * weights[..., None]
        hidden = jnp.square(jax.nn.relu(jnp.einsum("bd,edf->bef", x, params["up"])))
        out = jnp.einsum("bef,efd->bed", hidden, params["down"])
        return jnp.einsum("bed,bke->bd", out, gates)

    params = {"router": draw(4, 3), "up": draw(3, 4, 5), "down": draw(3, 5, 4)}
    return Foreign(fn, params, draw(6, 4), ["relu"])


def sharded_mlp() -> Foreign:
    """An MLP with its hidden units spread over devices, as types or hints say."""
    mesh = jax.make_mesh((2,), ("model",), axis_types=(AxisType.Auto,))
    put = lambda x, *spec: jax.device_put(x, jax.NamedSharding(mesh, P(*spec)))

    def fn(params, x):
        hidden = jax.nn.relu(x @ params["up"])
        spread = jax.NamedSharding(mesh, P(None, "model"))
        hidden = jax.lax.with_sharding_constraint(hidden, spread)
        return jnp.maximum(hidden @ params["down"], 0)

    params = {"up": put(draw(3, 4), None, "model"), "down": put(draw(4, 2), "model")}
    return Foreign(fn, params, put(draw(6, 3)), ["relu", "relu"])


BUILDERS = (
    resnet,
    vit,
    tagger,
    graph_network,
    gemma_block,
    agent,
    radiance_field,
    vae,
    equinox_cnn,
    equinox_gru,
    neural_ode,
    experts,
    sharded_mlp,
)
