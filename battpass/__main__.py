"""`python -m battpass`: the same as the `battpass` command."""

from battpass.services.cli.main import main

if __name__ == "__main__":
    main()
