/* Shapes: what can stand for what. */
#include <gtest/gtest.h>

extern "C" {
#include "core/tensor.h"
}

TEST(Tensor, RowsStandForRowsOfTheirShapeOrOfAsManyNumbers)
{
    const ls_shape picture = {3, {28, 28, 1}}, plain = {2, {28, 28}}, vector = {1, {784}};
    const ls_shape wide = {3, {14, 56, 1}}, channels = {3, {1, 28, 28}}, scalar = {0, {}};
    const ls_shape one = {1, {1}}, two = {1, {2}};
    for (const ls_shape &made : {picture, plain, vector})
        EXPECT_TRUE(ls_shape_fits(&made, &picture));
    for (const ls_shape &made : {wide, channels, one, scalar})
        EXPECT_FALSE(ls_shape_fits(&made, &picture));
    EXPECT_TRUE(ls_shape_fits(&picture, &plain));
    EXPECT_TRUE(ls_shape_fits(&vector, &vector));
    EXPECT_FALSE(ls_shape_fits(&picture, &vector));
    EXPECT_TRUE(ls_shape_fits(&one, &scalar));
    EXPECT_TRUE(ls_shape_fits(&scalar, &one));
    EXPECT_FALSE(ls_shape_fits(&two, &one));
}
