"""Small copies of torchvision's data sets, each in the format in which it is published."""

import hashlib
import json
import pickle
import struct

import numpy as np
import torchvision.datasets as zoo
from PIL import Image
from scipy.io import savemat


def pixels(count, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def md5(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def cifar100(root, monkeypatch):
    """Pickles with rows of 3,072 values, red first."""
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for part, count in (("train", 200), ("test", 20)):
        rows = pixels(count, 3072, seed=count)
        content = {"data": rows, "fine_labels": [index % 100 for index in range(count)]}
        (folder / part).write_bytes(pickle.dumps(content))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": list("ab")}))
    for name in ("train", "test"):
        monkeypatch.setattr(zoo.CIFAR100, f"{name}_list", [[name, md5(folder / name)]])
    meta = zoo.CIFAR100.meta | {"md5": md5(folder / "meta")}
    monkeypatch.setattr(zoo.CIFAR100, "meta", meta)


def svhn(root, monkeypatch):
    """Matlab files with images [32, 32, 3, N]; the digit 0 has the label 10."""
    root.mkdir(parents=True, exist_ok=True)
    splits = {}
    for part, count in (("train", 30), ("test", 20)):
        path = root / f"{part}_32x32.mat"
        labels = np.array([[index % 10 or 10] for index in range(count)], np.uint8)
        savemat(path, {"X": pixels(32, 32, 3, count, seed=count), "y": labels})
        splits[part] = [None, path.name, md5(path)]
    monkeypatch.setattr(zoo.SVHN, "split_list", splits)


def idx(path, array):
    """The IDX format of the MNIST family."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


def mnist(root, monkeypatch, name="MNIST"):
    for part, count in (("train", 30), ("t10k", 20)):
        raw = root / name / "raw"
        idx(raw / f"{part}-images-idx3-ubyte", pixels(count, 28, 28, seed=count))
        idx(raw / f"{part}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))


def kmnist(root, monkeypatch):
    mnist(root, monkeypatch, "KMNIST")


def emnist(root, monkeypatch, split="balanced", classes=47, first=0):
    for part, count in (("train", 2 * classes), ("test", classes)):
        stem = root / "EMNIST" / "raw" / f"emnist-{split}-{part}"
        labels = (np.arange(count) % classes + first).astype(np.uint8)
        idx(stem.with_name(f"{stem.name}-images-idx3-ubyte"), pixels(count, 28, 28, seed=count))
        idx(stem.with_name(f"{stem.name}-labels-idx1-ubyte"), labels)


def stl10(root, monkeypatch):
    """Raw bytes, each channel column by column; labels from 1."""
    folder, lists = root / "stl10_binary", {"train": [], "test": []}
    folder.mkdir(parents=True)
    for part, count in (("train", 20), ("test", 10)):
        pixels(count, 3, 96, 96, seed=count).tofile(folder / f"{part}_X.bin")
        (np.arange(count, dtype=np.uint8) % 10 + 1).tofile(folder / f"{part}_y.bin")
        lists[part] = [[f"{part}_{x}.bin", md5(folder / f"{part}_{x}.bin")] for x in "Xy"]
    (folder / "unlabeled_X.bin").write_bytes(b"")
    lists["train"].append(["unlabeled_X.bin", md5(folder / "unlabeled_X.bin")])
    for part, files in lists.items():
        monkeypatch.setattr(zoo.STL10, f"{part}_list", files)


def image(path, seed, shape=(8, 8, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(1, *shape, seed=seed)[0]).save(path)


def flowers102(root, monkeypatch):
    """Matlab files with the numbers of the images of each part, and labels from 1."""
    folder = root / "flowers-102"
    ids = {"trnid": range(1, 103), "valid": range(103, 106), "tstid": range(106, 110)}
    for number in range(1, 110):
        image(folder / "jpg" / f"image_{number:05d}.jpg", number)
    savemat(folder / "setid.mat", {name: [list(numbers)] for name, numbers in ids.items()})
    savemat(folder / "imagelabels.mat", {"labels": [[n % 102 + 1 for n in range(109)]]})
    files = {key: (f"{stem}.mat", md5(folder / f"{stem}.mat"))
             for key, stem in (("label", "imagelabels"), ("setid", "setid"))}  # fmt: skip
    monkeypatch.setattr(zoo.Flowers102, "_file_dict", zoo.Flowers102._file_dict | files)


def oxford_iiit_pet(root, monkeypatch):
    """Lists with name, label from 1, kind and breed."""
    folder = root / "oxford-iiit-pet"
    (folder / "annotations").mkdir(parents=True)
    for part, count in (("trainval", 6), ("test", 4)):
        names = [f"{('Abyssinian', 'beagle')[k % 2]}_{part}{k}" for k in range(count)]
        lines = [f"{name} {k % 2 + 1} {k % 2 + 1} 1\n" for k, name in enumerate(names)]
        (folder / "annotations" / f"{part}.txt").write_text("".join(lines))
        for seed, name in enumerate(names):
            image(folder / "images" / f"{name}.jpg", seed)


def food101(root, monkeypatch):
    """JSON: class → names without suffix."""
    folder = root / "food-101"
    (folder / "meta").mkdir(parents=True)
    for part, count in (("train", 3), ("test", 2)):
        listing = {c: [f"{c}/{part}{k}" for k in range(count)] for c in ("waffles", "baklava")}
        (folder / "meta" / f"{part}.json").write_text(json.dumps(listing))
        for names in listing.values():
            for seed, name in enumerate(names):
                image(folder / "images" / f"{name}.jpg", seed)


def dtd(root, monkeypatch):
    """Lists of CLASS/NAME, one for each part of each of ten partitions."""
    folder = root / "dtd" / "dtd"
    (folder / "labels").mkdir(parents=True)
    for partition in (1, 2):
        for part in ("train", "val", "test"):
            names = [f"{c}/{c}_{part}{partition}.jpg" for c in ("banded", "woven")]
            (folder / "labels" / f"{part}{partition}.txt").write_text("\n".join(names) + "\n")
            for name in names:
                image(folder / "images" / name, len(name) + partition)


def gtsrb(root, monkeypatch):
    """Class folders of .ppm files for train, one folder and a table for test."""
    folder = root / "gtsrb"
    for label in range(3):
        for number in range(2):
            path = folder / "GTSRB" / "Training" / f"{label:05d}" / f"{number:05d}.ppm"
            image(path, label * 2 + number)
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for number in range(4):
        image(folder / "GTSRB" / "Final_Test" / "Images" / f"{number:05d}.ppm", 10 + number)
        lines.append(f"{number:05d}.ppm;8;8;0;0;8;8;{number % 3}")
    (folder / "GT-final_test.csv").write_text("\n".join(lines) + "\n")


def imagenet(root, monkeypatch, parts=("train", "val")):
    """Class folders, named by WordNet numbers."""
    for part in parts:
        for label, name in enumerate(("n01440764", "n01443537")):
            for number in range(3):
                path = root / "imagenet" / part / name / f"{name}_{number}.JPEG"
                image(path, label * 3 + number)
