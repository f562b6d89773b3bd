"""The media plane as the node sees it: worker processes, the channel to each, and where rooms are placed."""
