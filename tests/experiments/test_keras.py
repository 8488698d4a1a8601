"""A number that others measured: Keras' example of an MLP on MNIST."""

import pytest

import relujax

#: examples/mnist_mlp.py of keras-team/keras: Glorot's initialisation, dropout of 0.2
#: twice, and RMSprop as Keras has it by default.
CELL = {
    "data": "mnist",
    "model": "mlp(hidden=(512, 512), dropout=0.2)",
    "activation": "relu",
    "optimizer": "rmsprop(learning_rate=0.001, decay=0.9, eps=1e-07)",
    "batch_size": 128,
    "epochs": 20,
    "evaluate_every": 20,
}


@pytest.mark.slow
def test_the_mlp_of_keras_has_the_accuracy_that_keras_reports(tmp_path):
    """Its heading: "Gets to 98.40% test accuracy after 20 epochs", from one run.

    Half a per cent is four standard errors of 10,000 test images.
    """
    if not relujax.dataset_info("mnist").available:
        pytest.skip("MNIST is not on this machine.")
    found = relujax.run(relujax.Cell(**CELL), 1, out=tmp_path, progress=False).frame
    last = found[(found["epoch"] == 20) & (found["split"] == "test")]
    assert last["accuracy"].item() == pytest.approx(0.9840, abs=0.005)
