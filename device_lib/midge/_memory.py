# What is said of a model that does not fit: apart from all other words, for which there may be no room then.


def no_memory(path, need, arena_bytes, free, mode):
    """The MemoryError for a model that does not fit."""
    hint = "free memory first, use a smaller model or a board with more RAM"
    if need <= free:
        hint = "it is in pieces: load the model before anything else"
    elif mode == "ram":
        hint = 'load it with weights="stream"'
    words = "%s needs %d bytes (%d for activations), %d are free; %s"
    return MemoryError(words % (path, need, arena_bytes, free, hint))
