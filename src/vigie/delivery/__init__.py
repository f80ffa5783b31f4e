"""What leaves the house: packets for each controller, encrypted, and letters sent one by one.

Nothing here writes a name to disk in clear: what is named is made in memory, and encrypted to its
recipient before it reaches a file.
"""
