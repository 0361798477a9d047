"""The evidence bundle: what was judged and found, sealed so that a third party can check it.

manifest -> bundle -> statement -> envelope -> zip        (seal)
zip -> archive -> envelope -> statement -> verification   (verify)
"""
