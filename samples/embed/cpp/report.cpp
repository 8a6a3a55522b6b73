// SPDX-License-Identifier: Apache-2.0
//
// report APPLICATION [ARGUMENT...]: runs a packed application inside this
// program, then some Python of its own, which sees the application's modules.
#include <pexcz_runtime.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

class Failure : public std::runtime_error {
public:
    explicit Failure(const pexcz_runtime_error &err)
        : std::runtime_error(err.type[0] != '\0'
                                 ? std::string(err.type) + ": " + err.message
                                 : err.message)
    {
    }
};

class Runtime {
public:
    Runtime(const char *path, int argc, char *const *argv)
    {
        pexcz_runtime_options options{};
        options.argc = argc;
        options.argv = argv;
        check(pexcz_runtime_open_file(&rt_, path, &options, &err_));
    }
    ~Runtime() { pexcz_runtime_close(rt_, nullptr); }
    Runtime(const Runtime &) = delete;
    Runtime &operator=(const Runtime &) = delete;

    int run()
    {
        int code = 0;

        check(pexcz_runtime_run(rt_, &code, &err_));
        return code;
    }
    void run(const std::string &text)
    {
        check(pexcz_runtime_run_string(rt_, text.c_str(), "report", &err_));
    }

private:
    void check(int rc) const
    {
        if (rc < 0) {
            throw Failure(err_);
        }
    }

    pexcz_runtime *rt_ = nullptr;
    pexcz_runtime_error err_{};
};

} // namespace

int
main(int argc, char **argv)
{
    if (argc < 2) {
        std::cerr << "usage: report APPLICATION [ARGUMENT...]\n";
        return 2;
    }
    try {
        Runtime runtime(argv[1], argc - 1, argv + 1);
        int code = runtime.run();

        runtime.run("import prices\n"
                    "print('known:', ', '.join(sorted(prices.RATES)))\n");
        return code;
    }
    catch (const Failure &failure) {
        std::cerr << "report: " << failure.what() << '\n';
        return 1;
    }
}
