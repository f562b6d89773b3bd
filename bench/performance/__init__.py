"""What docs/performance.md shows: tables and plots of a kept benchmark run, and profiles of instructions."""
