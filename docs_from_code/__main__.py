"""Writes the generated files, and says which have changed."""

from docs_from_code import ROOT, generated
from integration_tests.asana_emulator import AsanaEmulator, make_account


def main() -> None:
    with AsanaEmulator(make_account("sample")) as sample:
        files = generated(sample)
    for name, text in files.items():
        file = ROOT / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"{name} is new")


if __name__ == "__main__":
    main()
