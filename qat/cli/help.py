"""Texts of ``qat --help`` and ``qat COMMAND --help``."""

EPILOG = """\
examples:
  qat run                                  post-training quantization, 8 bits
  qat run scheme=w4a4 mode=qat             quantization-aware training, 4 bits
  qat run -m scheme=w8a8,w4a4 seed=0,1,2   a sweep: six runs, one table
  qat run -m experiment=bitwidth           a study: several grids, one table
  qat table bitwidth --into folder         its table in all formats, and figures
  qat list schemes                         names to choose from
  qat init my_methods                      a project with methods of your own

exit codes:
  0  everything is done
  1  a run failed or missed its parity gate
  2  the request was wrong; nothing was started

environment variables:
  QAT_DEBUG=1                     show tracebacks
  QAT_DATA, QAT_RUNS, QAT_CACHE   folders of data, runs and cache"""

RUN_HELP = """\
usage: qat run [-m] [GROUP=NAME ...] [KEY=VALUE ...] [Hydra's own flags]
       qat run --from RUN_DIR [KEY=VALUE ...]

One run: float network -> plan -> calibrate -> [train] -> compare. The folder
runs/<id> gets its record, plan, packed file and TensorBoard events. If you
repeat a request, qat shows a finished run and continues an interrupted run.
The last line of the output is `record: PATH/run.json`.

groups:  model data scheme optimizer schedule float trainer aids distill
         calibrate evaluate ptq_options sensitivity allocate mixed export parity
         measure memory tracking paths experiment
         quantizer and observer exist for weights and activations:
         quantizer@scheme.weight quantizer@scheme.act
         observer@scheme.weight observer@scheme.act
keys:    mode=float|dynamic|static|qat|mixed  seed=0  force=true
         ptq=[fold,equalize]  (steps of post-training quantization, in order)
         kernel=auto|compiled|eager  scheme.weight.bits=4
         scheme.act.symmetric=false  calibrate.images=512 ...
         `qat run --cfg job` prints all keys, `qat list` prints all names.
options: -m, --multirun   a sweep: all combinations of values written as a,b,c;
                          it ends with their table
         --from RUN_DIR   repeat a run, also with changes; name your own code
                          (model.target, data.target, ...) again
         --cfg job        print the configuration and run nothing
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
  qat run scheme.placement=integer         (an ONNX file, run by onnxruntime)
  qat run -m experiment=bitwidth scale=smoke   (a study; smoke, quick or paper)
  qat run -m scheme=w8a8,w4a4 hydra/launcher=parallel \\
          hydra.launcher.n_jobs=2
  qat run -m hydra/sweeper=pareto 'scheme.weight.bits=choice(2,4,8)'"""

SUMMARIES = {
    "run": ("start one run, or a sweep with -m", ""),
    "table": (
        "print the table of a study, of single runs or of folders of runs",
        "examples:\n  qat table\n  qat table bitwidth --into experiments/bitwidth\n"
        "  qat table runs --layout pact --format latex --out table.tex\n"
        "  qat table runs/0a1b runs/2c3d --format csv",
    ),
    "list": (
        "list the names to choose from: models, data sets, schemes, ...",
        "examples:\n  qat list\n  qat list models\n  qat list schemes",
    ),
    "init": (
        "make a project of your own: methods, a data set, a study, tests",
        "examples:\n  qat init my_methods\n  qat init . --package my_methods",
    ),
    "doctor": (
        "show what this machine has, and what each missing part costs",
        "example:\n  qat doctor",
    ),
    "completion": (
        "print a shell script; with it, Tab completes commands, runs, keys and values",
        "add one line to the start-up file of your shell:\n"
        '  bash  ~/.bashrc                   eval "$(qat completion bash)"\n'
        '  zsh   ~/.zshrc                    eval "$(qat completion zsh)"\n'
        "  fish  ~/.config/fish/config.fish  qat completion fish | source",
    ),
    "show": ("describe one run on one screen", "example:\n  qat show runs/0a1b2c3d4e5f"),
    "diagnose": (
        "show where a run lost accuracy, layer by layer, and which settings to try",
        "example:\n  qat diagnose runs/0a1b2c3d4e5f",
    ),
    "compare": (
        "compare two runs: settings that differ, metrics, layers",
        "example:\n  qat compare runs/0a1b2c3d4e5f runs/1b2c3d4e5f6a",
    ),
    "import": (
        "make a plan with held ranges from encodings of AIMET or a QDQ ONNX file",
        "examples:\n  qat import network.onnx model=resnet20 data=cifar10\n"
        "  qat import net.encodings model=resnet20 data=cifar10 --rename model.=\n"
        "  qat run model=resnet20 data=cifar10 scheme.plan=network.plan.json",
    ),
    "clean": (
        "list what is safe to delete; with --force, delete it",
        "examples:\n  qat clean\n  qat clean --force",
    ),
    "evaluate": (
        "evaluate the packed file of a run again and compare with its record",
        "example:\n  qat evaluate runs/0a1b2c3d4e5f",
    ),
    "export": (
        "write the network of a run as an ONNX, packed or OpenVINO file, or its encodings",
        "examples:\n  qat export runs/0a1b2c3d4e5f --to onnx\n"
        "  qat export runs/0a1b2c3d4e5f --to encodings\n"
        "  qat export runs/0a1b2c3d4e5f --to openvino --out network.xml",
    ),
    "parity": (
        "compare the exported network with the simulation again; exit code 1 if they differ",
        "example:\n  qat parity runs/0a1b2c3d4e5f",
    ),
    "measure": (
        "time the exported network and the float network in the runtime again",
        "examples:\n  qat measure runs/0a1b2c3d4e5f\n"
        "  qat measure runs/0a1b2c3d4e5f --batch 1 64 --threads 1 2",
    ),
}
"""Command → summary of one line, and its examples."""
