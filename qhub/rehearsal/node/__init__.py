"""A real node for an embedded cluster: containers run, with a network, names and storage of their own."""
