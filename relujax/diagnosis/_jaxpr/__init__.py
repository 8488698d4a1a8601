"""The core of the diagnosis: where activations are in a traced program, and surgery."""
