module instancelink.io/tools/resolver

go 1.26.0
