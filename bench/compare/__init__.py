"""`make bench-compare`: whether the working tree is slower than another revision, and by how much."""
