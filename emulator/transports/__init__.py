"""The only rooms with doors to the outside: ptys, sockets, serial ports and the real clock."""
