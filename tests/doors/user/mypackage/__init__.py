"""What a user has: networks, losses, activations and a training of their own."""
