/* The models for images and for sequences: parameters as published, shapes of their maps, options,
 * refusals. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

extern "C" {
#include "core/memory.h"
#include "core/model.h"
#include "core/workspace.h"
}

namespace
{

const ls_shape IMAGENET = {3, {224, 224, 3}}, CIFAR = {3, {32, 32, 3}}, FASHION = {3, {28, 28, 1}};

struct Model {
    ls_params *params = ls_params_create();
    ls_model_nets nets = {};
    ls_error error = {};
    ls_net *net = nullptr;

    Model(const std::string &text, const ls_shape &input)
    {
        if (ls_model_write(text.c_str(), &input, &nets, &error))
            net = ls_net_build(params, nullptr, "net", nets.lines[0], &input, &error);
    }
    ~Model()
    {
        ls_net_destroy(net);
        ls_model_release(&nets);
        ls_params_destroy(params);
    }
    Model(const Model &) = delete;

    long trained() const
    {
        EXPECT_TRUE(net) << error.text;
        return net ? ls_params_trained(params) : 0;
    }
    std::string lines() const
    {
        return nets.count ? nets.lines[0] : error.text;
    }
    std::string shape_of(const char *layer) const
    {
        char text[96];
        int at = net ? ls_net_find(net, layer) : -1;
        return at < 0 ? std::string("no ") + layer
                      : ls_shape_text(&net->layers[at]->y, text, sizeof text);
    }
};

std::string refusal(const char *text, const ls_shape &input)
{
    Model model(text, input);
    return model.net ? "accepted" : model.error.text;
}

int occurrences(const std::string &text, const std::string &word)
{
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        count++;
    return count;
}

/* A 3x3 convolution without a bias and the norm after it. */
long convolution(long in, long out)
{
    return 9 * in * out + 2 * out;
}

/* He et al. 2016, 4.2: depth 6n + 2, the shortcuts of the second and third group projected. */
long small_resnet(long depth, long channels, long classes)
{
    long n = (depth - 2) / 6, sum = convolution(channels, 16) + 2 * n * convolution(16, 16);
    for (long maps : {16, 32})
        sum += convolution(maps, 2 * maps) + (2 * n - 1) * convolution(2 * maps, 2 * maps) +
               2 * maps * maps + 4 * maps;
    return sum + 64 * classes + classes;
}

} /* namespace */

TEST(ImageModels, HaveTheParametersOfTorchvision)
{
    const std::pair<const char *, long> cases[] = {{"alexnet", 61100840},
                                                   {"alexnet lrn=1", 61100840},
                                                   {"vgg depth=11", 132863336},
                                                   {"vgg depth=13", 133047848},
                                                   {"vgg depth=16", 138357544},
                                                   {"vgg16", 138357544},
                                                   {"vgg depth=19", 143667240},
                                                   {"vgg depth=11 batchnorm=1", 132868840},
                                                   {"vgg depth=13 batchnorm=1", 133053736},
                                                   {"vgg16 batchnorm=1", 138365992},
                                                   {"vgg depth=19 batchnorm=1", 143678248},
                                                   {"resnet depth=18", 11689512},
                                                   {"resnet depth=34", 21797672},
                                                   {"resnet depth=50", 25557032},
                                                   {"resnet50", 25557032},
                                                   {"resnet depth=101", 44549160},
                                                   {"resnet depth=152", 60192808}};
    for (const auto &c : cases)
        EXPECT_EQ(c.second, Model(c.first, IMAGENET).trained()) << c.first;
}

TEST(ImageModels, SmallResnetsHaveTheParametersOfTheFormula)
{
    for (long depth : {20, 32, 44, 56}) {
        std::string text = "resnet stem=cifar classes=10 depth=" + std::to_string(depth);
        EXPECT_EQ(small_resnet(depth, 3, 10), Model(text, CIFAR).trained()) << text;
        EXPECT_EQ(small_resnet(depth, 1, 10), Model(text, FASHION).trained()) << text;
    }
    EXPECT_EQ(272474, small_resnet(20, 3, 10)); /* the paper says 0.27 million, */
    EXPECT_EQ(855770, small_resnet(56, 3, 10)); /* and 0.85, without projections */
}

TEST(ImageModels, MapsHaveTheirSizes)
{
    const struct Case {
        const char *model;
        ls_shape input;
        const char *layer, *shape;
    } cases[] = {
        {"alexnet", IMAGENET, "conv1", "55x55x64"},
        {"alexnet", IMAGENET, "maxpool3", "6x6x256"},
        {"alexnet classes=7", {3, {63, 63, 1}}, "maxpool3", "1x1x256"},
        {"vgg16", IMAGENET, "conv5_3", "14x14x512"},
        {"vgg16", IMAGENET, "maxpool5", "7x7x512"},
        {"vgg16 classes=10", CIFAR, "maxpool5", "1x1x512"},
        {"resnet50", IMAGENET, "maxpool", "56x56x64"},
        {"resnet50", IMAGENET, "layer1_0_downsample_1", "56x56x256"},
        {"resnet50", IMAGENET, "layer2_0_conv1", "56x56x128"},
        {"resnet50", IMAGENET, "layer2_0_conv2", "28x28x128"},
        {"resnet50", IMAGENET, "layer4_2_bn3", "7x7x2048"},
        {"resnet50", IMAGENET, "avgpool", "2048"},
        {"resnet50", CIFAR, "layer4_2_bn3", "1x1x2048"},
        {"resnet depth=18", FASHION, "layer1_1_bn2", "7x7x64"},
        {"resnet depth=18", FASHION, "layer2_0_bn2", "4x4x128"},
        {"resnet depth=18", FASHION, "layer4_1_bn2", "1x1x512"},
        {"resnet depth=20 stem=cifar", CIFAR, "layer1_2_bn2", "32x32x16"},
        {"resnet depth=20 stem=cifar", CIFAR, "layer3_2_bn2", "8x8x64"},
        {"resnet depth=20 stem=cifar", FASHION, "layer2_0_bn2", "14x14x32"},
        {"resnet depth=20 stem=cifar", FASHION, "layer3_2_bn2", "7x7x64"},
        {"resnet depth=20 stem=cifar classes=10", FASHION, "fc", "10"},
    };
    for (const Case &c : cases) {
        Model model(c.model, c.input);
        EXPECT_TRUE(model.net) << model.error.text;
        EXPECT_EQ(c.shape, model.shape_of(c.layer)) << c.model << ' ' << c.layer;
    }
}

TEST(ImageModels, TakeOptions)
{
    EXPECT_EQ("3", Model("alexnet classes=3", IMAGENET).shape_of("dense3"));
    EXPECT_EQ("1024", Model("vgg16 width=0.25", IMAGENET).shape_of("dense2"));
    EXPECT_EQ("7x7x1024", Model("resnet50 width=0.5", IMAGENET).shape_of("layer4_2_bn3"));
    EXPECT_EQ("32x32x1", Model("resnet depth=20 stem=cifar width=0.01", CIFAR).shape_of("conv1"));
    EXPECT_EQ(2, occurrences(Model("alexnet lrn=1", IMAGENET).lines(), "\nlrn "));
    EXPECT_EQ(2, occurrences(Model("alexnet", IMAGENET).lines(), "dropout rate=0.5"));
    EXPECT_EQ(2, occurrences(Model("vgg16 dropout=0.3", IMAGENET).lines(), "dropout rate=0.3"));
    for (const char *text : {"alexnet dropout=0", "vgg16 dropout=0"})
        EXPECT_EQ(0, occurrences(Model(text, IMAGENET).lines(), "dropout")) << text;
    EXPECT_EQ(16, occurrences(Model("resnet50 zero_init=1", IMAGENET).lines(), " scale=0\n"));
}

TEST(ImageModels, ZeroInitMakesEveryBlockTheIdentityAtFirst)
{
    Model model("resnet depth=20 stem=cifar classes=4 zero_init=1", {3, {8, 8, 3}});
    ASSERT_TRUE(model.net) << model.error.text;
    real *values = (real *)ls_alloc((size_t)model.params->size, sizeof *values);
    real *prepared = (real *)ls_alloc((size_t)model.params->prepared_size + 1, sizeof *prepared);
    ls_params_commit(model.params, values, prepared);
    ls_params_initialize(model.params, 1, NULL);
    ls_net_prepare(model.net, nullptr, 0, 1);
    ls_workspace *run = ls_workspace_create(model.net, 2, LS_TRAINING);
    std::vector<real> x(2 * 8 * 8 * 3);
    for (size_t i = 0; i < x.size(); i++)
        x[i] = (real)std::sin(3.7 * (double)i);
    ls_pass pass = {};
    pass.training = true;
    ls_workspace_forward(run, &pass, x.data(), 2);
    const real *first = ls_workspace_output(run, ls_net_find(model.net, "bn1"));
    const real *last = ls_workspace_output(run, ls_net_find(model.net, "layer1_2_bn2"));
    double sum = 0;
    for (long i = 0; i < 2 * 8 * 8 * 16; i++) {
        ASSERT_EQ(first[i], last[i]) << i;
        sum += (double)first[i];
    }
    EXPECT_GT(sum, 0);
    ls_workspace_destroy(run);
    ls_free(values);
    ls_free(prepared);
}

TEST(ImageModels, RefuseWithWordsThatHelp)
{
    EXPECT_EQ("alexnet: takes images height x width x channels of at least 63x63, but a row of the "
              "data is 62x100x3",
              refusal("alexnet", {3, {62, 100, 3}}));
    EXPECT_EQ("vgg: takes images height x width x channels of at least 32x32, but a row of the "
              "data is 28x28x1",
              refusal("vgg16", FASHION));
    EXPECT_EQ("resnet: takes images height x width x channels of at least 1x1, but a row of the "
              "data is 28x28: add a last dimension of 1 channel",
              refusal("resnet50", {2, {28, 28}}));
    EXPECT_EQ("resnet: depth=20 goes with stem=cifar, but here is stem=imagenet",
              refusal("resnet depth=20", CIFAR));
    EXPECT_EQ("resnet: depth=50 goes with stem=imagenet, but here is stem=cifar",
              refusal("resnet50 stem=cifar", CIFAR));
    EXPECT_EQ("vgg: depth=8 is not known (known: 11, 13, 16, 19)", refusal("vgg depth=8", CIFAR));
    EXPECT_EQ("'vgg depth=16 depth=11': depth= is given twice", refusal("vgg16 depth=11", CIFAR));
    EXPECT_EQ("'a: vgg16': expected TYPE key=value ..., without NAME: or @",
              refusal("a: vgg16", CIFAR));
}

namespace
{
/* The default stages of a model. */
struct Stages {
    ls_recipe_list list = {};
    explicit Stages(const char *text)
    {
        ls_error error = {};
        EXPECT_TRUE(ls_model_stages(text, &list, &error)) << error.text;
    }
    ~Stages()
    {
        ls_model_release_stages(&list);
    }
    Stages(const Stages &) = delete;
    Stages &operator=(const Stages &) = delete;
};
} /* namespace */

TEST(ImageModels, RecipesFollowThePapers)
{
    EXPECT_EQ(256, Stages("resnet50").list.at[0].batch);
    EXPECT_STREQ("step every=30 gamma=0.1", Stages("resnet50").list.at[0].schedule);
    EXPECT_EQ(128, Stages("resnet depth=20 stem=cifar").list.at[0].batch);
    EXPECT_EQ(164, Stages("resnet depth=20 stem=cifar").list.at[0].epochs);
    EXPECT_STREQ("momentum rate=0.01 momentum=0.9 decay=5e-4",
                 Stages("vgg16").list.at[0].optimizer);
}

TEST(Models, AMachineHasTheStageOfHintonsGuide)
{
    const ls_shape row = {1, {6}};
    ls_error error = {};
    ls_model_nets nets = {};
    ASSERT_TRUE(ls_model_write("rbm visible=6 hidden=4 hidden_units=nrelu", &row, &nets, &error));
    EXPECT_STREQ("dense units=4 visible=1 init=normal scale=0.01\nactivation function=relu\n",
                 nets.lines[0]);
    ls_model_release(&nets);
    EXPECT_FALSE(ls_model_write("rbm visible=7", &row, &nets, &error));
    EXPECT_STREQ("rbm: visible=7, but a row of the data has 6 numbers", error.text);
    EXPECT_STREQ("rbm", Stages("rbm").list.at[0].objective);
    EXPECT_STREQ("momentum start=0.5 switch=5 momentum=0.9 rate=0.1 decay=2e-4 decay_all=0",
                 Stages("rbm").list.at[0].optimizer);
    EXPECT_STREQ(
        "rbm units=gaussian hidden=nrelu k=3 chains=20",
        Stages("rbm units=gaussian hidden_units=nrelu k=3 chains=20").list.at[0].objective);
    EXPECT_STREQ("rbm binarize=1", Stages("rbm binarize=1").list.at[0].objective);
    EXPECT_STREQ("linear", Stages("rbm chains=20").list.at[0].schedule);
}

TEST(Models, OwnTheTextsOfTheirStages)
{
    size_t blocks = ls_memory_blocks();
    ls_recipe_list list = {};
    for (int i = 0; i < 3; i++) {
        std::string objective = "autoencoder layer=" + std::to_string(i);
        const ls_recipe recipe = {objective.c_str(), "a: sgd rate=1\nb: adam", nullptr, 8, i};
        ls_model_add_stage(&list, &recipe);
    }
    ASSERT_EQ(3, list.count);
    EXPECT_STREQ("autoencoder layer=0", list.at[0].objective);
    EXPECT_STREQ("autoencoder layer=2", list.at[2].objective);
    EXPECT_STREQ("a: sgd rate=1\nb: adam", list.at[1].optimizer);
    EXPECT_EQ(nullptr, list.at[1].schedule);
    EXPECT_EQ(2, list.at[2].epochs);
    ls_model_release_stages(&list);
    EXPECT_EQ(0, list.count);

    ls_error error = {};
    EXPECT_FALSE(ls_model_stages("lenett", &list, &error));
    EXPECT_STREQ("there is no model lenett: did you mean lenet? (`lockstep list models` has all)",
                 error.text);
    EXPECT_FALSE(ls_model_stages("mlp", &list, &error));
    EXPECT_FALSE(ls_model_stages(" ", &list, &error));
    EXPECT_STREQ("the name of a model is missing", error.text);
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

/* The lines of a job's own nets beside a model, or the refusal. */
std::string completed(const char *model, const char *name, const char *lines, const ls_shape &input)
{
    ls_error error = {};
    ls_model_nets nets = {};
    std::string text;
    ls_model_put(&nets, name, lines);
    if (!ls_model_complete(model, &input, &nets, &error))
        text = error.text;
    for (int i = 0; i < nets.count; i++)
        text += std::string(nets.name[i]) + ": " + nets.lines[i];
    ls_model_release(&nets);
    return text;
}

TEST(Models, TakeNetsOfAJobInPlaceOfTheirOwn)
{
    size_t blocks = ls_memory_blocks();
    EXPECT_EQ("net: softmax\n", completed("mlp widths=4,3", "net", "softmax\n", {1, {4}}));
    EXPECT_EQ("net: softmax\n", completed("mlp widths=4,3", "net", "softmax\n", {1, {5}}))
        << "a model that writes no net takes any input";
    EXPECT_EQ("mlp has no net nte: did you mean net? (its nets are: net)",
              completed("mlp widths=4,3", "nte", "softmax\n", {1, {4}}));
    EXPECT_EQ("mlp has no net encoder (its nets are: net)",
              completed("mlp widths=4,3", "encoder", "softmax\n", {1, {4}}));
    EXPECT_EQ("there is no model lenett: did you mean lenet? (`lockstep list models` has all)",
              completed("lenett", "net", "softmax\n", {1, {4}}));
    EXPECT_EQ(ls_memory_blocks(), blocks);
}

TEST(Models, WriteTheInputOfANetAsItsFirstLine)
{
    ls_model_nets nets = {};
    const ls_shape noise = {1, {100}}, image = {3, {7, 7, 64}};
    ls_model_input(&nets, "generator", &noise);
    ls_model_add(&nets, "generator", "dense units=3\n");
    ls_model_input(&nets, "decoder", &image);
    EXPECT_STREQ("input 100\ndense units=3\n", nets.lines[0]);
    EXPECT_STREQ("input 7,7,64\n", nets.lines[1]);
    ls_model_release(&nets);
}

const ls_shape TOKENS = {1, {5}}, FEATURES = {2, {5, 3}};

TEST(Sequences, HaveTheParametersOfTheirLayers)
{
    const long v = 98, n = 512, out = n * v + v;
    EXPECT_EQ(Model("rnn classes=98 embed=512", TOKENS).trained(),
              v * n + 2 * (2 * n * n + n) + out);
    EXPECT_EQ(Model("gru classes=98 embed=512", TOKENS).trained(),
              v * n + 2 * 3 * (2 * n * n + n) + out);
    EXPECT_EQ(Model("gru classes=98 embed=512 reset=after", TOKENS).trained(),
              v * n + 2 * (3 * (2 * n * n + n) + n) + out);
    EXPECT_EQ(Model("lstm classes=98 embed=512", TOKENS).trained(),
              v * n + 2 * 4 * (2 * n * n + n) + out);
    EXPECT_EQ(Model("lstm classes=4 units=6 layers=1 peephole=1", FEATURES).trained(),
              4 * (6 * 3 + 6 * 6 + 6) + 3 * 6 + 6 * 4 + 4);
    EXPECT_EQ(Model("lstm classes=4 units=6 layers=1 norm=1", FEATURES).trained(),
              4 * (6 * 3 + 6 * 6) + 2 * 5 * 6 + 6 * 4 + 4);
    EXPECT_EQ(Model("rnn classes=4 units=6 layers=1 vocabulary=9", TOKENS).trained(),
              6 * 9 + 6 * 6 + 6 + 6 * 4 + 4);
    EXPECT_EQ(Model("gru classes=4 units=6 layers=2 bidirectional=1", FEATURES).trained(),
              2 * 3 * (6 * 3 + 6 * 6 + 6) + 2 * 3 * (6 * 12 + 6 * 6 + 6) + 12 * 4 + 4);
}

TEST(Sequences, HaveOutputsOfEachStepOrOfTheWhole)
{
    for (const char *type : {"rnn", "gru", "lstm"})
        for (const char *ways : {"", " bidirectional=1"})
            for (const ls_shape &input : {TOKENS, FEATURES}) {
                const std::string text = type + std::string(" classes=4 units=6") + ways;
                const std::string more = input.rank == 1 ? " vocabulary=9" : "";
                const Model steps(text, input),
                    last(text + " last=1 dropout=0.5 recurrent_dropout=0.25" + more, input);
                EXPECT_EQ(steps.shape_of("output"), "5x4") << text << steps.error.text;
                EXPECT_EQ(last.shape_of("output"), "4") << text << last.error.text;
                EXPECT_EQ(steps.shape_of("layer1"), *ways ? "5x12" : "5x6");
                EXPECT_EQ(last.shape_of("layer2"), *ways ? "12" : "6");
                EXPECT_EQ(occurrences(last.lines(), "dropout rate=0.5"), 2);
                EXPECT_EQ(occurrences(last.lines(), "recurrent_dropout=0.25"), *ways ? 4 : 2);
                EXPECT_EQ(occurrences(last.lines(), "last=1"), *ways ? 2 : 1);
                EXPECT_EQ(occurrences(last.lines(), "reverse=1"), *ways ? 2 : 0);
            }
}

TEST(Sequences, SkipLayers)
{
    const long n = 6, in = 3;
    for (const char *more : {"", " dropout=0.5"}) {
        const Model m(std::string("lstm classes=4 units=6 layers=3 skip=1") + more, FEATURES);
        EXPECT_EQ(m.trained(),
                  4 * (n * in + n * n + n) + 2 * 4 * (n * (in + n) + n * n + n) + 3 * n * 4 + 4)
            << m.error.text;
        EXPECT_EQ(m.shape_of("below3"), "5x9");
        EXPECT_EQ(m.shape_of("all"), "5x18");
        EXPECT_EQ(occurrences(m.lines(), "concat @input,"), 2);
        EXPECT_EQ(
            occurrences(m.lines(), *more ? "@dropped1,dropped2,dropped3" : "@layer1,layer2,layer3"),
            1);
    }
    EXPECT_EQ(
        Model("gru classes=4 skip=1 bidirectional=1 units=6 embed=5", TOKENS).shape_of("below2"),
        "5x17");
}

TEST(Sequences, SkipNothingWithOneLayer)
{
    EXPECT_EQ(Model("rnn classes=4 skip=1 layers=1 units=6", FEATURES).trained(),
              6 * 3 + 6 * 6 + 6 + 6 * 4 + 4);
}

TEST(Sequences, RefuseWhatIsNone)
{
    EXPECT_NE(refusal("rnn classes=4 skip=1 last=1", FEATURES).find("leave one of them out"),
              std::string::npos);
    EXPECT_NE(refusal("rnn classes=4 skip=1 layers=9", FEATURES)
                  .find("skip=1 is for at most 8 layers, found layers=9"),
              std::string::npos);
    EXPECT_NE(refusal("lstm classes=4", FASHION).find("lstm: takes sequences"), std::string::npos);
    EXPECT_NE(refusal("gru classes=4 embed=8", FEATURES).find("gru: embed= is for tokens"),
              std::string::npos);
    EXPECT_NE(
        refusal("rnn classes=4 vocabulary=8", FEATURES).find("rnn: vocabulary= is for tokens"),
        std::string::npos);
    EXPECT_NE(refusal("lstm classes=3 embed=4 last=1", TOKENS)
                  .find("lstm: the option vocabulary is missing"),
              std::string::npos);
    const std::string key = refusal("lstm classes=4 orthogonal=1", FEATURES);
    EXPECT_NE(key.find("lstm has no key orthogonal"), std::string::npos) << key;
    EXPECT_NE(key.find("orthogonal is a key of lstm lines: `lockstep list --model 'lstm ...'`"),
              std::string::npos)
        << key;
    EXPECT_EQ(refusal("lstm classes=x", FEATURES).find("lines"), std::string::npos);
    EXPECT_EQ(refusal("lstm nonsense=1", FEATURES).find("lines"), std::string::npos);
}

TEST(TimeDelays, TheUsualNetIsThatOfWaibel)
{
    const Model waibel("tdnn classes=3", {2, {15, 16}});
    EXPECT_EQ(waibel.trained(), 515) << waibel.error.text;
    EXPECT_EQ(waibel.shape_of("output"), "9x3");
    EXPECT_EQ(waibel.shape_of("pool"), "3");
    const Model with_norms("tdnn classes=3 batchnorm=1 pool=max", {2, {15, 16}});
    EXPECT_EQ(with_norms.shape_of("batchnorm1"), "13x8") << with_norms.error.text;
    EXPECT_NE(refusal("tdnn classes=3 pool=none contexts=3,4 widths=8", {2, {15, 3}})
                  .find("tdnn: pool=none keeps the steps, so that contexts= must be odd; found 4"),
              std::string::npos);
}

TEST(Bottleneck, TheNarrowestHiddenLayerHasNoActivation)
{
    const Model rows("bottleneck widths=784,64,9,32,10 dropout=0.5", FASHION);
    EXPECT_EQ(rows.trained(), 785 * 64 + 65 * 9 + 10 * 32 + 33 * 10) << rows.error.text;
    EXPECT_EQ(rows.shape_of("narrow"), "9");
    EXPECT_EQ(occurrences(rows.lines(), "activation function=relu"), 2);
    EXPECT_EQ(occurrences(rows.lines(), "dropout rate=0.5"), 2);
    const Model frames("bottleneck widths=3,64,9,64,4", FEATURES);
    EXPECT_EQ(frames.shape_of("narrow"), "5x9") << frames.error.text;
    EXPECT_EQ(frames.shape_of("dense4"), "5x4");
    EXPECT_NE(refusal("bottleneck widths=784,10", FASHION)
                  .find("bottleneck: widths= needs the input, a narrow layer and the output"),
              std::string::npos);
    EXPECT_NE(refusal("bottleneck widths=100,9,10", FASHION)
                  .find("bottleneck: widths= begins with 100, but a row of the data is 28x28x1"),
              std::string::npos);
}

TEST(Sequences, RefuseNumbersForLayersThatThereAreNot)
{
    const std::string tdnn = "tdnn classes=3 pool=stat widths=8 ";
    EXPECT_EQ(refusal((tdnn + "contexts=3,5").c_str(), {2, {15, 3}}), "accepted");
    EXPECT_NE(refusal((tdnn + "contexts=3,3,5").c_str(), {2, {15, 3}})
                  .find("tdnn: contexts= has 3 numbers, but widths= has 1"),
              std::string::npos);
    EXPECT_NE(refusal((tdnn + "dilations=1,1,2").c_str(), {2, {15, 3}})
                  .find("tdnn: dilations= has 3 numbers, but widths= has 1"),
              std::string::npos);
}
