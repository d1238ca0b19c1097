"""What the system tests stand on: the real server, its clients, and the readers of its tables."""
