"""The load tester: synthetic users over real signaling and media, an oracle over every packet, and reports."""
