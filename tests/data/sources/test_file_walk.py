"""Which files of a folder are images, against torchvision's order."""

from PIL import Image
from torchvision.datasets import ImageFolder

from qat.data.sources.file_walk import LeftOut, folders_of, image_paths
from tests.data.class_folders import pixels


def test_files_come_in_the_order_of_image_folder(folder):
    nested = folder / "train" / "bee"
    for place in ("z", "a/deep", "a.b", "05.d"):
        (nested / place).mkdir(parents=True)
        for suffix in (".png", ".jpg", ".TIF", ".ppm", ".webp"):
            image = Image.fromarray(pixels(9, len(place) + len(suffix), (8, 8, 3)))
            image.save(nested / place / f"deep{suffix}")
    (nested / "link").symlink_to(folder / "test" / "cat", target_is_directory=True)
    (nested / "circle").symlink_to(folder / "train", target_is_directory=True)
    (nested / "circle").unlink()  # torchvision would go round for ever
    expected = [(path, label) for path, label in ImageFolder(str(folder / "train")).samples]
    names = folders_of(folder / "train")
    taken = [
        (str(path), label)
        for label, name in enumerate(names)
        for path in image_paths(folder / "train" / name, LeftOut())
    ]
    assert taken == expected
    (nested / "circle").symlink_to(folder / "train", target_is_directory=True)
    in_class = [path for path, label in expected if label == names.index("bee")]
    assert len(image_paths(nested, LeftOut())) == len(in_class)


def test_files_that_are_no_images_are_counted_and_hidden_ones_skipped(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for name in ("b.png", "a.JPG", "deep/er/c.bmp", "it.txt", "deep/README", ".x.png", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".git" / "d.png").write_bytes(b"")
    (tmp_path / "to_nothing.png").symlink_to(tmp_path / "none")
    left_out = LeftOut()
    taken = [str(path.relative_to(tmp_path)) for path in image_paths(tmp_path, left_out)]
    assert taken == ["a.JPG", "b.png", "deep/er/c.bmp"]
    assert (dict(left_out.suffixes), left_out.odd) == ({".txt": 1, "no suffix": 1}, 1)
    assert folders_of(tmp_path) == ["deep"]


def test_counts_add_up_and_the_commonest_come_first(tmp_path):
    first, second = LeftOut(), LeftOut(odd=1)
    for name in ("a.txt", "b.csv"):
        first.note(tmp_path / name)
    second.note(tmp_path / "c.CSV")
    assert (first + second).lines() == [
        "3 files left out, not an image by suffix: .csv (2), .txt (1)",
        "1 file left out, not a plain file or a link to nothing",
    ]
    assert LeftOut().lines() == []
