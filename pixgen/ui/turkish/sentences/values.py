"""What pydantic says of values that are not allowed, and how sentences are put together, in Turkish."""

VALUES = {
    "{} (not {})": "{0} ({1} olamaz)",
    "{}, and {}": "{0} ve {1}",
    "must be greater than or equal to {}": "en az {0} olmalı",
    "must be less than or equal to {}": "en çok {0} olmalı",
    "must be greater than {}": "{0} değerinden büyük olmalı",
    "must be less than {}": "{0} değerinden küçük olmalı",
    "must be a finite number": "sonlu bir sayı olmalı",
    "must be a valid number": "bir sayı olmalı",
    "must be a valid number, unable to parse string as a number": "bir sayı olmalı",
    "must be a valid integer": "bir tam sayı olmalı",
    "must be a valid integer, unable to parse string as an integer": "bir tam sayı olmalı",
    "must be a valid integer, got a number with a fractional part": "bir tam sayı olmalı",
    "must be a valid boolean": "true ya da false olmalı",
    "must be a valid boolean, unable to interpret input": "true ya da false olmalı",
    "must be a valid string": "bir metin olmalı",
    "must be {}": "şunlardan biri olmalı: {0}",
    "Field required": "gerekli",
    "Extra inputs are not permitted": "diye bir alan yok",
    "String should have at most {} characters": "en çok {0} harf olabilir",
    "String should have at least {} character": "en az {0} harf olmalı",
}
