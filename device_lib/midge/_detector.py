# Detector: scores become events. Imported on first use (__getattr__ in __init__.py).

from array import array

from . import _text as text

_CUTOFF = 0.8  # where neither the script nor the file says one


class Detector:
    """Runs a model and tells once when a class begins to be heard, or seen.

    cutoff: a class begins when the mean of its scores is above; window: of so many predictions. If None, what the
    model's file says, else 0.8 and 1. hold: predictions that a class has to stay at or below the cutoff before it can
    begin again.
    """

    def __init__(self, model, cutoff=None, window=None, hold=10):
        self.cutoff = (getattr(model, "cutoff", 0) or _CUTOFF) if cutoff is None else cutoff
        self.window = getattr(model, "window", 1) if window is None else window
        self.hold = hold
        for count in (self.window, hold):
            if count.__class__ is not int or not 0 < count < 65536:
                raise ValueError(text("detector", self.window, hold))
        self._model = model
        self._outs = [array("f", bytes(4 * tensor.size)) for tensor in model.outputs]
        self._clear()

    def _clear(self):
        count = len(self._outs[0])
        self._former = array("f", bytes(4 * count * self.window))  # scores, one prediction behind the other
        self._seen = 0
        self._quiet = array("H", (self.hold for _ in range(count)))  # predictions since a class was above the cutoff

    def reset(self):
        """Forgets scores and events, and what the model remembers."""
        self._clear()
        self._model.reset()

    def detect(self, reading):
        """Runs the model; returns the events as (label, score), in their order: of sound any number, else one or none.

        reading: as predict() takes it. label: the class's number where the file has no labels.
        """
        out = self._outs if len(self._outs) > 1 else self._outs[0]
        if not hasattr(self._model, "hop"):
            self._model.predict_into(reading, out)
            event = self.update(self._outs[0])
            return (event,) if event else ()
        events = []

        def each():
            event = self.update(self._outs[0])
            if event:
                events.append(event)

        self._model.predict_each(reading, out, each)
        return events

    def update(self, scores):
        """Takes the scores of a prediction, real values for each class; returns (label, score) if a class's mean of the
        last `window` predictions is above `cutoff`, and was not in the `hold` predictions before, else None."""
        count = len(self._quiet)
        if len(scores) != count:
            raise ValueError(text("detector scores", count, len(scores)))
        former = self._former
        at = self._seen % self.window * count
        for i in range(count):
            former[at + i] = scores[i]
        self._seen += 1
        if self._seen < self.window:
            return None
        best = most = None
        for i in range(count):
            mean = 0.0
            for at in range(i, len(former), count):
                mean += former[at]
            mean /= self.window
            if not mean > self.cutoff:  # nor a NaN
                self._quiet[i] = min(self._quiet[i] + 1, self.hold)
                continue
            if self._quiet[i] == self.hold and (best is None or mean > most):
                best = i
                most = mean
            self._quiet[i] = 0
        if best is None:
            return None
        labels = self._model.labels
        return (labels[best] if best < len(labels) else best), most
