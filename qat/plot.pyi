"""The public figures and the data that they take; everything else is private."""

from qat.analysis.codes import CodeCounts as CodeCounts
from qat.analysis.codes import layer_codes as layer_codes
from qat.analysis.layers import LayerSQNR as LayerSQNR
from qat.analysis.layers import layer_sqnr as layer_sqnr
from qat.notebook.figures import of_run as of_run
from qat.notebook.figures import of_study as of_study
from qat.notebook.figures import run_memory as run_memory
from qat.tracking.figures.bits import bits_figure as bits_figure
from qat.tracking.figures.bits_rows import bits_rows_figure as bits_rows_figure
from qat.tracking.figures.codes import codes_figure as codes_figure
from qat.tracking.figures.histograms import error_figure as error_figure
from qat.tracking.figures.histograms import histogram_figure as histogram_figure
from qat.tracking.figures.history import history_figure as history_figure
from qat.tracking.figures.layers import layer_lines_figure as layer_lines_figure
from qat.tracking.figures.layers import sqnr_figure as sqnr_figure
from qat.tracking.figures.memory import arena_figure as arena_figure
from qat.tracking.figures.memory import layer_memory_figure as layer_memory_figure
from qat.tracking.figures.memory_strategies import strategies_figure as strategies_figure
from qat.tracking.figures.pareto import CostPoint as CostPoint
from qat.tracking.figures.pareto import pareto_figure as pareto_figure
from qat.tracking.figures.prediction import front_figure as front_figure
from qat.tracking.figures.prediction import prediction_figure as prediction_figure
from qat.tracking.figures.sensitivity import sensitivity_figure as sensitivity_figure
from qat.tracking.figures.settings import SettingRow as SettingRow
from qat.tracking.figures.settings import settings_figure as settings_figure
