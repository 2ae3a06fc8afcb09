"""Open Sound Control: packets, sockets, and the protocols spoken over them."""
