"""Claims and the scripts that measure them: one script per claim, each with its rival in the same run.

python -m benchmarks.NAME            a short run, printed
python -m benchmarks.NAME --full     the full run, written to benchmarks/results/NAME.json
make campaign                        all of them, and the seeded test campaigns at full count
"""
