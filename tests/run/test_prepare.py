"""From a configuration to a prepared run."""

from dataclasses import replace
import pytest

def test_x(make_prepared, make_quantized_state):
    import time
    for m in ("float","static","dynamic","qat","mixed"):
        t=time.time(); p=make_prepared(m); print(m,time.time()-t)
    for m in ("static","dynamic","qat"):
        t=time.time(); p=make_quantized_state(m); print(m,time.time()-t)
    print(p.plan, p.prepared.images.at_once)
    assert 0
