# Names for the commands. CI runs the same ones: `bash .ci/run`.

# List the recipes
[group('help')]
list:
    @just --list

# Everything that CI runs, in its order
[group('gate')]
all:
    cargo ci all

# Formatting, and clippy in each configuration
[group('gate')]
lint:
    cargo ci lint

# Build the library with each set of features, and as a dependency
[group('gate')]
features:
    cargo ci features

# Build the documentation in both configurations
[group('gate')]
doc:
    cargo ci doc

# The tests on real threads, and the gate's own
[group('gate')]
test:
    cargo ci test

# Explore every model, or those of the tests whose page::test contains FILTER
[group('gate')]
prove *FILTER:
    cargo ci prove {{ FILTER }}

# Break the library in every small way and see whether a model notices; `--help` lists what can be chosen
[group('gate')]
mutants *ARGS:
    cargo ci mutants {{ ARGS }}

# Write the report to target/selvedge/report; `--from` takes what the last `prove` has left
[group('gate')]
report *ARGS:
    cargo ci report {{ ARGS }}

# Make the breakages of ci/sabotage.toml, or those whose name contains NAME
[group('gate')]
sabotage NAME='':
    cargo ci mutants --sabotage {{ quote(NAME) }}

# Measure the primitives beside their peers, or the rows that contain WORD
[group('work')]
bench WORD='':
    cargo ci bench {{ WORD }}

# The oracle on ROUNDS times 5,400 programs: 20 makes 108,000
[group('work')]
oracle ROUNDS='1':
    cargo ci oracle {{ ROUNDS }}

# Explore N random scenarios of each type, larger than those of the pages; or all, with `--exhaustive`
[group('work')]
linearizable *N='100':
    cargo ci linearizable {{ N }}

# Try every way of testing on every bug; `--help` lists what can be chosen
[group('work')]
confidence *ARGS:
    cargo ci confidence {{ ARGS }}

# Run the README's two commands by the letter
[group('gate')]
readme:
    cargo ci readme

# Format the code
[group('work')]
fmt:
    cargo fmt --all

# Rewrite ci/models.txt after a full run that passes
[group('work')]
bless:
    cargo ci prove --bless
