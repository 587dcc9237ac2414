#!/usr/bin/env python3
"""emoji: lists the pictures of npm's emoji-datasource-google by category, for `lockstep import images`.

    npm pack emoji-datasource-google@16.0.0 && tar xzf emoji-datasource-google-16.0.0.tgz      # 74 MB, MIT
    tests/bench/emoji.py package
    lockstep import images package/train.list package/test.list -o runs/emoji.h5

3,786 pictures of 64x64 with transparency, which comes over white. The classes are the 9 categories with more than five
pictures. Variants of an emoji (skin tones) are all on one side: a fifth of the emoji, by a hash of their names, are
for testing.
"""
import json
import os
import sys
import zlib

folder = sys.argv[1]
lists = {"train": [], "test": []}
with open(os.path.join(folder, "emoji.json"), encoding="utf-8") as file:
    emoji = json.load(file)
for one in emoji:
    split = "test" if zlib.crc32(one["unified"].encode()) % 5 == 0 else "train"
    for shape in (one, *one.get("skin_variations", {}).values()):
        path = f"img/google/64/{shape['image']}"
        if one["category"] != "Component" and os.path.exists(os.path.join(folder, path)):
            lists[split].append(f"{path}\t{one['category']}\n")
for split, lines in lists.items():
    with open(os.path.join(folder, split + ".list"), "w", encoding="utf-8") as file:
        file.writelines(sorted(lines))
    print(f"{split}: {len(lines)} pictures")
