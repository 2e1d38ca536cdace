"""A camera that takes every connection and closes it, and says so: a line for each.

python turning_away.py ADDRESS PORT
"""

import socket
import sys

with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        connection, _ = server.accept()
        connection.close()
        print("turned away", flush=True)
