"""What lies in `user` is run by the tests, as a user runs it."""

collect_ignore = ["user"]
