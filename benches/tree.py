#!/usr/bin/env python3
"""The benchmark of the tree as tables of ratios: runs benches/benches/tree several times, and takes of each work the
fastest of all samples. A sample is processor time of one thread, so other work on the machine counts little.

`make bench-merkle` calls it. --sizes and --rounds say how much; --only is a filter of criterion, such as root.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = 'cargo bench --locked -p benches --no-default-features --features tree --bench tree'.split()

# The groups of the benchmark in words; per leaf where the whole tree is the work.
WORK = {
    'root': ('root from entries', 'leaf'),
    'append': ('root from leaf hashes', 'leaf'),
    'inclusion-made': ('inclusion proof made, from memory', 'proof'),
    'inclusion-made-from-tiles': ('inclusion proof made, from tiles', 'proof'),
    'inclusion-checked': ('inclusion proof checked', 'proof'),
    'consistency-made': ('consistency proof made, from memory', 'proof'),
    'consistency-made-from-tiles': ('consistency proof made, from tiles', 'proof'),
    'consistency-checked': ('consistency proof checked', 'proof'),
}
OURS = {
    'merkle': '',
    'merkle-kept': ', every node kept',
    'merkle-batches-of-100': ', in batches of 100',
    'merkle-batches-of-100-reported': ', in batches of 100, every node reported',
    'merkle-one-by-one': ', one by one',
}


def main():
    args = arguments()
    fastest = {}
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as home:
            measure(home, args)
            collect(pathlib.Path(home), fastest)
    if not fastest:
        sys.exit(f'no benchmark has {args.only!r} in its name')
    for size in sorted({size for _, _, size in fastest}):
        table(size, fastest)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sizes', default='1000,1000000,16777216', help='numbers of leaves, with commas between')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--only', default='')
    return parser.parse_args()


def measure(home, args):
    env = {**os.environ, 'CRITERION_HOME': home, 'TREE_SIZES': args.sizes}
    command = [*BENCH, '--', '--noplot', '--quiet', *filter(None, [args.only])]
    subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=sys.stderr)


def collect(home, fastest):
    """Adds the samples that criterion left in its folder: group, crate and size, and the fastest iteration in ns."""
    for path in home.glob('*/*/*/new/sample.json'):
        group, name, size = path.relative_to(home).parts[:3]
        sample = json.loads(path.read_text())
        best = min(time / count for time, count in zip(sample['times'], sample['iters']))
        key = (group, name, int(size))
        fastest[key] = min(best, fastest.get(key, best))


def table(size, fastest):
    print(f'\n{size:,} leaves\n')
    print('| work | ns | bare hashes | `merkle` | `tlog_tiles` | `ct-merkle` |')
    print('|---|--:|--:|--:|--:|--:|')
    for group, (words, each) in WORK.items():
        for name, suffix in OURS.items():
            ours = fastest.get((group, name, size))
            if ours is None:
                continue
            others = (fastest.get((group, other, size)) for other in ('bare', 'tlog_tiles', 'ct-merkle'))
            bare, tlog, ct = ('–' if other is None else f'{other / ours:.2f}' for other in others)
            per = ours / size if each == 'leaf' else ours
            print(f'| {words}{suffix} | {per:.0f} per {each} | {bare} | 1 | {tlog} | {ct} |')


if __name__ == '__main__':
    main()
