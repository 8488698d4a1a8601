"""What runs in a process of its own is no module of tests."""

collect_ignore = ["everything.py"]
