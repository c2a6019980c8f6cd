# What print(model) shows. In memory only while it is made.


def describe(model):
    """In words what a model is."""
    text = "Model(%s: %s -> %s" % (model._path, _tensors(model.inputs), _tensors(model.outputs))
    if model.labels:
        text += ", %d labels" % len(model.labels)
    if hasattr(model, "hop"):
        text += "; hears %d samples a second" % model.rate
    text += "; arena %d bytes, weights %s, %s" % (model.arena_bytes, model.weights_mode, model.backend)
    if model.cores > 1:
        text += ", %d cores" % model.cores
    return text + ")"


def _tensors(tensors):
    return ", ".join(["%s %s %s" % (t.name, t.dtype, t.shape) for t in tensors])
