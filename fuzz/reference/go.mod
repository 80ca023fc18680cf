module lilypad/fuzz/reference

go 1.22
