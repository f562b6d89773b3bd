"""Janus beside our own worker: the process, its API, and the little of SDP that it needs."""
