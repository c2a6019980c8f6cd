"""What others measured on boards with the same models: what modelled times are held against.

Nobody has published times of midge's kernels on boards. MLPerf Tiny has the same models on the same cores with the
vendor's own kernels, X-CUBE-AI, which are about as fast; where others' kernels are far slower, as on the Cortex-M0+ and
the ESP32s, a comparison would say nothing of the model of cycles.
"""

from __future__ import annotations

from dataclasses import dataclass

from .chips import M4F, M7, M33, Core

FOLDER = "github.com/mlcommons/tiny_results_v1.2, closed/STMicroelectronics/results"
MODELS = {"kws": "kws_ref_model", "ic": "pretrainedResnet_quant", "vww": "vww_96_int8", "ad": "ad01_int8"}


@dataclass(frozen=True)
class Published:
    """Predictions a second, by the names of MODELS, on a board at a clock."""

    board: str
    core: Core
    clock_mhz: int
    rates: dict[str, float]

    @property
    def source(self) -> str:
        return f"{FOLDER}/{self.board}/*/performance/results.txt"


PUBLISHED = (
    Published("NUCLEO_L4R5ZI", M4F, 120, {"kws": 23.142, "ic": 6.056, "vww": 11.245, "ad": 190.086}),
    Published("NUCLEO_U575ZI_Q", M33, 160, {"kws": 34.411, "ic": 9.003, "vww": 16.870, "ad": 291.589}),
    Published("NUCLEO_H7A3ZI_Q", M7, 280, {"kws": 88.345, "ic": 24.483, "vww": 42.010, "ad": 816.004}),
)
