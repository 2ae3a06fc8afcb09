"""A headless, drop-in Wekinator: OSC in, outputs out, learning in the background (`gesturemap bridge`).

``protocol`` is the table of everything it understands; ``session`` holds its state, without sockets and with an
injected clock; ``controls`` and ``extensions`` are what each message does; ``server`` puts it on the network.
"""
