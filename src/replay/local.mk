# The files of src/replay.
