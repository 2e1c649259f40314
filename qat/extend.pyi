"""The public classes and functions for methods of your own; everything else is private."""

from qat.allocate.budget import Budgets as Budgets
from qat.allocate.budget import UnmeetableBudgetError as UnmeetableBudgetError
from qat.allocate.budget import overruns as overruns
from qat.allocate.budget import unmeetable as unmeetable
from qat.allocate.costs import LayerFigures as LayerFigures
from qat.allocate.costs import NetworkCosts as NetworkCosts
from qat.allocate.problem import Problem as Problem
from qat.allocate.problem import Variable as Variable
from qat.base.requirements import RequirementReport as RequirementReport
from qat.core.grid import IntGrid as IntGrid
from qat.core.layout import Layout as Layout
from qat.core.processes import total as total
from qat.core.qparams import QParams as QParams
from qat.observers.base import Observer as Observer
from qat.observers.base import batch_extremes as batch_extremes
from qat.observers.minmax import MinMaxObserver as MinMaxObserver
from qat.quantizers.base import Quantizer as Quantizer
from qat.quantizers.minmax import MinMaxQuantizer as MinMaxQuantizer
