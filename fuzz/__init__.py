"""Coverage-guided fuzzing of every decoder, and of whole sessions.

`targets` lists what is fuzzed. A target is a plain function of bytes that raises when something is wrong; `make test`
replays seeds and findings (`tests/regressions`) through the same functions, without a fuzzer. `make fuzz` runs them
under atheris on a build with AddressSanitizer and UBSan.
"""
