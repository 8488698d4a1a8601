"""What XLA does badly on a CPU, done well; see the README beside this file."""
