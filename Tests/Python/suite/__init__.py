"""What the tests of this folder share: a gantryd, the datamodel of its build, clients whose calls are noted."""
