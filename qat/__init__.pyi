"""The public names of QATLab and their homes; everything else is private."""

from qat import extend as extend
from qat import plot as plot
from qat.allocate.requirements import check_allocator as check_allocator
from qat.analysis.profile import LayerProfile as LayerProfile
from qat.analysis.profile import profile as profile
from qat.base.errors import QatError as QatError
from qat.base.requirements import RequirementError as RequirementError
from qat.convert.calibrate import calibrate as calibrate
from qat.convert.calibrate import freeze_observers as freeze_observers
from qat.convert.calibrate import set_phase as set_phase
from qat.convert.calibrate import set_progress as set_progress
from qat.convert.integer import fold_norms as fold_norms
from qat.convert.rules import make_plan as make_plan
from qat.convert.swap import quantize as quantize
from qat.core.plan import LayerPlan as LayerPlan
from qat.core.plan import Plan as Plan
from qat.core.plan import TensorPlan as TensorPlan
from qat.core.scheme import Method as Method
from qat.core.scheme import Rule as Rule
from qat.core.scheme import Scheme as Scheme
from qat.core.scheme import TensorSpec as TensorSpec
from qat.data.load import load_data as load_data
from qat.data.request import DataRequest as DataRequest
from qat.export.onnx.network import export_onnx as export_onnx
from qat.export.packed.network import load_packed as load_packed
from qat.export.packed.network import save_packed as save_packed
from qat.models.build import build_model as build_model
from qat.notebook.compare_layers import compare_layers as compare_layers
from qat.notebook.diagnose import diagnose as diagnose
from qat.notebook.errors import RunFailedError as RunFailedError
from qat.notebook.layers import layers as layers
from qat.notebook.load_run import load_run as load_run
from qat.notebook.run import run as run
from qat.notebook.sensitivities import sensitivities as sensitivities
from qat.notebook.sweep import sweep as sweep
from qat.notebook.table import table as table
from qat.observers.requirements import check_observer as check_observer
from qat.quantizers.requirements import check_quantizer as check_quantizer
from qat.records.schema import RunRecord as RunRecord
from qat.report.diagnosed import Diagnosis as Diagnosis
from qat.run.load import LoadedRun as LoadedRun
from qat.training.evaluate import evaluate as evaluate
from qat.training.optimizers import parameter_groups as parameter_groups

__version__: str
