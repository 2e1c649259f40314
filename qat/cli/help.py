"""What ``qat --help`` and ``qat COMMAND --help`` say."""

EPILOG = """\
examples:
  qat run                                  8 bits, calibrated, embedded images
  qat run scheme=w4a4 mode=qat             4 bits, trained
  qat run -m scheme=w8a8,w4a4 seed=0,1,2   a sweep, ending in its table
  qat run -m experiment=bitwidth           a study: several grids, one table
  qat table bitwidth --into folder         its table in every format, figures
  qat list schemes                         what there is to choose from

exit codes: 0 done, 1 a run failed or missed its gate, 2 the request was wrong,
nothing started.
QAT_DEBUG=1 shows tracebacks. QAT_DATA, QAT_RUNS, QAT_CACHE move the folders."""

RUN_HELP = """\
usage: qat run [-m] [GROUP=NAME ...] [KEY=VALUE ...] [Hydra's own flags]
       qat run --from RUN_DIR [KEY=VALUE ...]

One run: float network -> plan -> calibrate -> [train] -> compare. Its record,
plan, packed file and events are in runs/<id>; asked for again, a finished run
is shown and an interrupted one goes on. The last line printed is
`record: PATH/run.json`.

groups:  model data scheme optimizer schedule float trainer calibrate evaluate
         sensitivity allocate mixed export parity measure tracking paths
         experiment, and quantizer and observer in two places each:
         quantizer@scheme.weight quantizer@scheme.act
         observer@scheme.weight observer@scheme.act
keys:    mode=float|dynamic|static|qat|mixed  seed=0  force=true
         kernel=auto|compiled|eager  scheme.weight.bits=4
         scheme.act.symmetric=false  calibrate.images=512 ...
         `qat run --cfg job` prints them all, `qat list` the names there are.
options: -m, --multirun   all combinations of values given as a,b,c; ends with
                          their table
         --from RUN_DIR   repeat a run, with changes; give targets again
         --cfg job        print the configuration, run nothing
         --info ...       Hydra's --info, --config-dir DIR, -sc and --hydra-help
                          work as well

examples:
  qat run
  qat run experiment=demo_w4a4_qat
  qat run model=resnet20 data=cifar10 scheme=w4a4 quantizer@scheme.act=lsq \\
          scheme.weight.bits=3 mode=qat seed=1
  qat run model=resnet20 data=cifar10 model.checkpoint=resnet20-cifar10.pt \\
          data.mean=[0.485,0.456,0.406] data.std=[0.229,0.224,0.225]
  qat run scheme.rules='[{match: features.*, weight: {bits: 8}}]'
  qat run -m scheme=w8a8,w4a4,w2a2 seed=0,1,2
  qat run scheme.placement=integer             (an ONNX file, run in onnxruntime)
  qat run -m experiment=bitwidth scale=smoke   (a study; smoke, quick or paper)
  qat run -m scheme=w8a8,w4a4 hydra/launcher=parallel \\
          hydra.launcher.n_jobs=2
  qat run -m hydra/sweeper=pareto 'scheme.weight.bits=choice(2,4,8)'"""

SUMMARIES = {
    "run": ("one run, or a sweep (-m)", ""),
    "table": (
        "the table of a study, or over folders of runs",
        "examples:\n  qat table\n  qat table bitwidth --into experiments/bitwidth\n"
        "  qat table runs --layout pact --format latex --out table.tex\n"
        "  qat table runs/0a1b runs/2c3d --format csv",
    ),
    "list": (
        "names to choose from",
        "examples:\n  qat list\n  qat list models\n  qat list schemes",
    ),
    "doctor": (
        "what this machine has, and what the lack of the rest costs",
        "example:\n  qat doctor",
    ),
    "completion": (
        "what a shell runs to complete commands, runs, keys and their values by Tab",
        "install it with one line in the shell's start-up file:\n"
        '  bash  ~/.bashrc                   eval "$(qat completion bash)"\n'
        '  zsh   ~/.zshrc                    eval "$(qat completion zsh)"\n'
        "  fish  ~/.config/fish/config.fish  qat completion fish | source",
    ),
    "show": ("one run on one screen", "example:\n  qat show runs/0a1b2c3d4e5f"),
    "diagnose": (
        "why a run's accuracy fell, layer by layer, and which setting to try",
        "example:\n  qat diagnose runs/0a1b2c3d4e5f",
    ),
    "compare": (
        "two runs: settings that differ, metrics with their difference, layer by layer",
        "example:\n  qat compare runs/0a1b2c3d4e5f runs/1b2c3d4e5f6a",
    ),
    "clean": (
        "what is safe to delete; deletes it with --force",
        "examples:\n  qat clean\n  qat clean --force",
    ),
    "evaluate": (
        "load a run's packed file, evaluate it again, compare with the record",
        "example:\n  qat evaluate runs/0a1b2c3d4e5f",
    ),
    "export": (
        "write a run's network as a file: ONNX, packed, OpenVINO",
        "examples:\n  qat export runs/0a1b2c3d4e5f --to onnx\n"
        "  qat export runs/0a1b2c3d4e5f --to openvino --out network.xml",
    ),
    "parity": (
        "hold the runtime's network against the simulated one again; 1 if the gate is missed",
        "example:\n  qat parity runs/0a1b2c3d4e5f",
    ),
    "measure": (
        "time the exported network against the float one in the runtime again",
        "examples:\n  qat measure runs/0a1b2c3d4e5f\n"
        "  qat measure runs/0a1b2c3d4e5f --batch 1 64 --threads 1 2",
    ),
}
"""Command → (one line, examples)."""
