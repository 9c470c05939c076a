# Names for the commands. CI runs the same ones: `bash .ci/run`.

# List the recipes
[group('help')]
list:
    @just --list

# Everything that CI runs, in its order, and what it needs for that
[group('gate')]
all *ARGS:
    bash .ci/run {{ ARGS }}

# One step of it: lint, deny, doc, features, readme, test, report
[group('gate')]
step STEP *ARGS:
    cargo ci {{ STEP }} {{ ARGS }}

# Explore every model, or those of the tests whose page::test contains FILTER
[group('gate')]
prove *FILTER:
    cargo selvedge prove {{ FILTER }}

# Break the library in every small way and see whether a model notices; `--help` lists what can be chosen
[group('gate')]
mutants *ARGS:
    cargo selvedge mutants {{ ARGS }}

# Rewrite ci/models.txt after a full run that passes
[group('work')]
bless:
    cargo selvedge prove --bless

# Format the code
[group('work')]
fmt:
    cargo fmt --all

# Measure the primitives beside their peers, or the rows that contain WORD
[group('work')]
bench WORD='':
    cargo run --profile bench --package peers -- {{ WORD }}

# Every night, and by hand: confidence, sabotage
[group('laboratory')]
lab WHAT *ARGS:
    cargo lab {{ WHAT }} {{ ARGS }}

# Both oracles on ROUNDS times 5,400 and 31,000 programs, each time with another seed
[group('laboratory')]
oracle ROUNDS='20':
    cargo ci oracle {{ ROUNDS }}

# Explore N random scenarios of each type, larger than those of the pages; or all, with `--exhaustive`
[group('laboratory')]
linearizable *N='100':
    cargo ci linearizable {{ N }}
