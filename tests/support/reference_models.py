"""The real models of ../shared/data: what is known of them."""

from __future__ import annotations

# TFLM's arena, from ../shared/data/INDEX.md, and the accuracy that the labelled sets give there.
MODELS: dict[str, tuple[int, dict[str, float]]] = {
    "vww_96_int8": (103680, {"coco_train2017": 93.94, "cfu_vww4": 100.0}),
    "person_detect": (85264, {"coco_train2017": 72.73, "tflm_bmp2": 100.0}),
    "kws_ref_model": (24272, {"kws01": 89.80}),
    "pretrainedResnet_quant": (55984, {"cifar10_jpg600": 74.00, "cfu_ic10": 100.0}),
    "ad01_int8": (3984, {}),
    "mnist_cnn_int8": (4544, {"mnist5k": 97.30}),
    "mnist_valid_q": (3776, {"mnist5k": 96.80}),
    "micro_speech_quantized": (7584, {}),
    "hello_world_int8": (1504, {}),
    "str_ww_ref_model": (16640, {"calib45": 91.11}),
    "magic_wand": (6192, {}),
    "ww_alexa_v2": (20432, {}),
}
# The outputs of a streaming model depend on earlier inputs: sets of inputs cannot follow one another.
STREAMING = {"ww_alexa_v2"}


def sets_of(data) -> list[str]:
    """Names of the sets of real inputs in a model's .npz."""
    return [
        k.removeprefix("real_").removesuffix("_inputs") for k in data if k.startswith("real_") and k.endswith("_inputs")
    ]
