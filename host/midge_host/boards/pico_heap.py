# Runs on the emulated Pico: can it load (and run) a model when one free piece of so many bytes is left to midge?
import gc
import json
from array import array


def fill(leave):
    # Takes the whole heap but one piece: a chain of blocks in every gap.
    reserve = bytearray(leave)
    chain = None
    for size in (65536, 4096, 256, 16):
        try:
            while True:
                chain = (chain, bytearray(size))
        except MemoryError:
            pass
    return chain if reserve else None


def main(job):
    # Loading takes no reading, and a large one would take the place of the model.
    readings, outs = [], []
    if job["predict"]:
        readings = [array(code, bytes(size)) for code, size in job["inputs"]]
        outs = [array(code, bytes(size)) for code, size in job["outputs"]]
        with open("in.bin", "rb") as file:
            for part in readings:
                file.readinto(part)
    gc.collect()
    ballast = None
    try:
        ballast = fill(job["leave"])
        gc.collect()
        import midge

        model = midge.load(job["model"], job["weights"])
        if job["predict"]:
            model.predict_into(readings if len(readings) > 1 else readings[0], outs if len(outs) > 1 else outs[0])
        enough = True
    except MemoryError:
        enough = False
    del ballast
    if not enough:
        print("too little")
    elif job["predict"]:
        print(json.dumps([list(out) for out in outs]))
    else:
        print("enough")  # in few bytes: the ballast may not be free yet


with open("job.json") as file:
    main(json.load(file))
